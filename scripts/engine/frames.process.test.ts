import { testFrames } from './testing/frames.ts'

testFrames(async () => 'node')
