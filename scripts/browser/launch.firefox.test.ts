import { testBrowser } from './conformance.ts'

testBrowser('firefox')
