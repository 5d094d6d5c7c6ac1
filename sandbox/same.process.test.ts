import { fileURLToPath } from 'node:url'
import { nodeHost } from './testing/hosts.ts'
import { testSame } from './testing/same.ts'

const INSTALLED = new URL('../scripts/node-versions/node_modules/', import.meta.url)

for (const version of ['22', '26']) {
  const program = fileURLToPath(new URL(`node-${version}-linux-${process.arch}/bin/node`, INSTALLED))
  testSame(`every program comes out the same in Node ${version}`, () => nodeHost(program))
}
