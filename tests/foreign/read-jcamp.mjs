// SPDX-License-Identifier: Apache-2.0
// Prints the spectra that jcampconverter reads in a file; without a file, whether it is there.  Exit status 77 where it is not
// installed; see tools/test.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

let reader;
try {
	reader = createRequire(process.argv[2])('jcampconverter');
} catch (error) {
	if (error.code !== 'MODULE_NOT_FOUND')
		throw error;
	process.exit(77);
}
if (process.argv[3] === undefined) {
	console.log('there');
	process.exit(0);
}
const { flatten } = reader.convert(readFileSync(process.argv[3], 'latin1'), { keepRecordsRegExp: /.*/ });
const blocks = flatten.map((block) => ({
	title: block.title,
	times: (block.spectra ?? []).map((s) => Number(String(s.pageValue ?? s.page ?? '').replace(/^.*=/, ''))),
	spectra: (block.spectra ?? []).filter((s) => s.data?.x?.length > 0).map((s) => ({ x: Array.from(s.data.x), y: Array.from(s.data.y) })),
}));
console.log(JSON.stringify(blocks));
