import { fileURLToPath } from 'node:url'
import { nodeHost } from '../testing/hosts.ts'
import { testCarried } from './testing/same.ts'

const INSTALLED = new URL('../../scripts/node-versions/node_modules/', import.meta.url)

const node = (version: number) => () =>
  nodeHost(fileURLToPath(new URL(`node-${version}-linux-${process.arch}/bin/node`, INSTALLED)))

testCarried('functions with WebAssembly come out the same in Node 22, 24 and 26', [node(22), node(26)])
