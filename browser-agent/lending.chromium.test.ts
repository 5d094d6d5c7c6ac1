import {
  lendingScene,
  testCalling,
  testComingAndGoing,
  testLending,
  testRefusing,
  testSlow,
} from './testing/lending.ts'

const scene = lendingScene('chromium')

testLending(scene)
testComingAndGoing(scene)
testRefusing(scene)
testCalling(scene)
testSlow(scene)
