import { browserHost } from '../testing/hosts.ts'
import { testCarried } from './testing/same.ts'

testCarried('functions with WebAssembly come out the same in a worker of a page', [() => browserHost('chromium')])
