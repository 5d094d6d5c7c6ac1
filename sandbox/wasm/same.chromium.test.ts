import { testMeteredIn } from './testing/conformance.ts'

testMeteredIn('chromium')
