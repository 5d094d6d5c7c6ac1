import { browserHost } from './testing/hosts.ts'
import { testSame } from './testing/same.ts'

testSame('every program comes out the same in a worker of a page', [() => browserHost('chromium')])
