// SPDX-License-Identifier: Apache-2.0
// Decodes the golden vectors with cbor-x and compares them with their JSON projections.
// Exit status 77, a skipped test, where cbor-x is not installed: npm ci --omit=optional
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

let cbor;
try {
	cbor = await import('cbor-x');
} catch (error) {
	if (error.code !== 'ERR_MODULE_NOT_FOUND')
		throw error;
	console.log('cbor-x is not installed here');
	process.exit(77);
}

const TIMES = new Set(['utc', 'tc', 'from', 'to', 'since', 'until', 'start']);
const FLAGS = { 1: 'good', 2: 'unchecked', 3: 'suspect', 4: 'bad', 9: 'missing' };
const EXACT = 2n ** 53n;

// Written with as many digits as name it among the floats of 32 bits.
class Float32 {
	constructor(value) {
		this.value = value;
	}
}

function reshape(values, shape) {
	if (shape.length === 1)
		return values;
	const step = values.length / shape[0];
	return Array.from({ length: shape[0] },
		(_, i) => reshape(values.slice(i * step, (i + 1) * step), shape.slice(1)));
}

function integer(value) {
	const magnitude = value < 0n ? -value : value;
	return magnitude > EXACT ? String(value) : Number(value);
}

function rfc3339(ns) {
	const seconds = new Date(Number(ns / 10n ** 9n) * 1000).toISOString().slice(0, 19);
	return `${seconds}.${String(ns % 10n ** 9n).padStart(9, '0')}Z`;
}

function projectMap(map, parent) {
	const out = {};
	for (const [key, value] of Object.entries(map)) {
		if (TIMES.has(key) && typeof value === 'bigint') {
			out[key] = rfc3339(value);
			out[`${key}_ns`] = String(value);
			continue;
		}
		out[key] = project(value, key);
		if (key === 'flag' && parent === 'q')
			out.flag_text = FLAGS[value];
	}
	return out;
}

function project(value, key) {
	if (value instanceof cbor.Tag && value.tag === 40)
		return reshape(project(value.value[1]), value.value[0]);
	if (Buffer.isBuffer(value)) // a byte string; arrays of u8 are plain Uint8Arrays
		return value.toString('hex');
	if (value instanceof Float32Array)
		return Array.from(value, (item) => Number.isFinite(item) ? new Float32(item) : null);
	if (ArrayBuffer.isView(value) || Array.isArray(value))
		return Array.from(value, (item) => project(item));
	if (typeof value === 'bigint')
		return integer(value);
	if (typeof value === 'number')
		return Number.isFinite(value) ? value : null;
	if (value !== null && typeof value === 'object')
		return projectMap(value, key);
	return value;
}

function expectedOf(data) {
	const value = cbor.decode(data);
	if (!Array.isArray(value))
		return project(value);
	const [version, journal, seq, prev, tc, topic, body] = value;
	assert.equal(version, 1);
	return project({ journal, seq, prev, tc, topic,
		entry_sha256: createHash('sha256').update(Buffer.of(0)).update(data).digest(),
		record: cbor.decode(body) });
}

function compare(expected, found, path) {
	if (expected instanceof Float32) {
		assert.equal(Math.fround(found), expected.value, path);
	} else if (expected !== null && typeof expected === 'object') {
		assert.ok(found !== null && typeof found === 'object', path);
		assert.deepEqual(Object.keys(found), Object.keys(expected), path);
		for (const key of Object.keys(expected))
			compare(expected[key], found[key], `${path}.${key}`);
	} else {
		assert.strictEqual(found, expected, path);
	}
}

const directory = process.argv[2];
const names = readdirSync(directory).filter((name) => name.endsWith('.cbor'));
assert.ok(names.length >= 20, `only ${names.length} vectors in ${directory}`);
for (const name of names) {
	const found = JSON.parse(readFileSync(join(directory, name.replace('.cbor', '.json')), 'utf8'));
	compare(expectedOf(readFileSync(join(directory, name))), found, name);
}
console.log(`${names.length} vectors decoded by cbor-x equal their JSON`);
