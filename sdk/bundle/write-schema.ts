/** `node sdk/bundle/write-schema.ts` renews schema.json at the package root. */
import { writeFileSync } from 'node:fs'
import { projectJsonSchema } from './json-schema.ts'

writeFileSync(new URL('../../schema.json', import.meta.url), projectJsonSchema())
