/** All programs in Firefox: on a slow machine they take minutes, and `npm test` has half of them. */
import { browserForTests } from '../scripts/browser/for-tests.ts'
import { browserHost } from './testing/hosts.ts'
import { testSame } from './testing/same.ts'

const browser = browserForTests('firefox')
testSame('every program comes out the same in a worker of a page', [() => browserHost(browser())])
