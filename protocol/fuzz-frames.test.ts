/** The frames that strangers send, each changed a little 50,000 times, as `fuzz.test.ts` does with all else. */
import { TARGETS } from '../scripts/protocol/targets.ts'
import { isFrame, testTargets } from '../scripts/protocol/testing/fuzz.ts'

testTargets(TARGETS.filter(isFrame))
