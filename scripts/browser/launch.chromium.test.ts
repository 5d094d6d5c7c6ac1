import { testBrowser } from './conformance.ts'

testBrowser('chromium')
