import { testMeteredIn } from './testing/conformance.ts'

testMeteredIn('firefox')
