import { fileURLToPath } from 'node:url'
import { nodeHost } from './testing/hosts.ts'
import { testSame } from './testing/same.ts'

const INSTALLED = new URL('../scripts/node-versions/node_modules/', import.meta.url)

/** Of those that `npm test` installs. */
const node = (version: number) => () =>
  nodeHost(fileURLToPath(new URL(`node-${version}-linux-${process.arch}/bin/node`, INSTALLED)))

testSame('every program comes out the same in Node 22, 24 and 26', [node(22), node(26)])
