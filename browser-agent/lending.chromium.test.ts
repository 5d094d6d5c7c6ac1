import { browserForTests } from '../scripts/browser/for-tests.ts'
import {
  lendingScene,
  testCalling,
  testComingAndGoing,
  testLending,
  testRefusing,
  testRemembering,
  testSlow,
} from './testing/lending.ts'

const scene = lendingScene(browserForTests('chromium'))

testLending(scene)
testComingAndGoing(scene)
testRefusing(scene)
testRemembering(scene)
testCalling(scene)
testSlow(scene)
