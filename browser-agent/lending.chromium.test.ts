import { testLending } from './testing/lending.ts'

testLending('chromium')
