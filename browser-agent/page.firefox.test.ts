import { browserForTests } from '../scripts/browser/for-tests.ts'
import { lendingScene, testComingAndGoing, testLending } from './testing/lending.ts'
import { testPorts } from './testing/ports-in-page.ts'

const browser = browserForTests('firefox')
const scene = lendingScene(browser)

testPorts(browser)
testLending(scene)
testComingAndGoing(scene)
