/**
 * Makes what `src/` has of other files: the types of the server's contract, and our version.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';

const OUT = new URL('src/generated/', import.meta.url);
const CONTRACT = new URL('../workbench/server/openapi.json', import.meta.url);

const here = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const types = await openapiTS(CONTRACT, { immutable: true });
mkdirSync(OUT, { recursive: true });
writeFileSync(new URL('schema.ts', OUT), astToString(types));
writeFileSync(
  new URL('version.ts', OUT),
  `export const VERSION = '${here.version}';\n`
);
