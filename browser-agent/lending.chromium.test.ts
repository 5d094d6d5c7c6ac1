import { lendingScene, testCalling, testComingAndGoing, testLending, testRefusing } from './testing/lending.ts'

const scene = lendingScene('chromium')

testLending(scene)
testComingAndGoing(scene)
testRefusing(scene)
testCalling(scene)
