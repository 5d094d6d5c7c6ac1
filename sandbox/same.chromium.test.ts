import { testEngineIn } from './testing/in-browser.ts'

testEngineIn('chromium')
