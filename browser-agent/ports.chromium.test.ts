import { browserForTests } from '../scripts/browser/for-tests.ts'
import { testPorts } from './testing/ports-in-page.ts'

testPorts(browserForTests('chromium'))
