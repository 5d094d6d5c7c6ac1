import { testFrames } from './testing/frames.ts'

testFrames('firefox')
