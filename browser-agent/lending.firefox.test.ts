import { lendingScene, testComingAndGoing, testLending } from './testing/lending.ts'

const scene = lendingScene('firefox')

testLending(scene)
testComingAndGoing(scene)
