// SPDX-License-Identifier: Apache-2.0
// Asks the reference implementation of UCUM about each code of the whitelist in units.c.
// Exit status 77, a skipped test, where it is not installed; see tests/vectors/meson.build
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

let ucum;
try {
	ucum = createRequire(import.meta.url)('@lhncbc/ucum-lhc').UcumLhcUtils.getInstance();
} catch (error) {
	if (error.code !== 'MODULE_NOT_FOUND')
		throw error;
	console.log('@lhncbc/ucum-lhc is not installed here');
	process.exit(77);
}

const source = readFileSync(process.argv[2], 'utf8');
const codes = [...source.matchAll(/^\t\{"([^"]+)", "[^"]+", DIM_/gm)].map((match) => match[1]);
assert.ok(codes.length >= 100, `only ${codes.length} codes found`);
for (const code of codes) {
	const answer = ucum.validateUnitString(code, true);
	assert.equal(answer.status, 'valid', `${code}: ${answer.msg}`);
	assert.equal(answer.ucumCode, code);
}
console.log(`${codes.length} units are UCUM codes`);
