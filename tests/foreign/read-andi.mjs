// SPDX-License-Identifier: Apache-2.0
// Prints what netcdf-gcms reads in a file.  Exit status 77 where it is not installed; see tools/test.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

let reader;
try {
	reader = createRequire(process.argv[2])('netcdf-gcms');
} catch (error) {
	if (error.code !== 'MODULE_NOT_FOUND')
		throw error;
	process.exit(77);
}
const { times, series, meta } = reader.netcdfGcms(readFileSync(process.argv[3]));
console.log(JSON.stringify({ times, series, meta }));
