/** How runs end that return nothing. */
import { MESSAGE_CHARS_MAX } from '../protocol/limits.ts'
import type { OutcomeErrorCode } from '../protocol/outcome.ts'
import type { SandboxResult } from './job.ts'
import { plainText, stackText } from './plain-text.ts'

export const failure = (code: OutcomeErrorCode, message: string, stack = '') => ({
  ok: false as const,
  code,
  message: plainText(message, MESSAGE_CHARS_MAX),
  stack: stackText(stack),
})

export const inconclusive = (thrown: unknown): SandboxResult => {
  const reason = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : 'the engine failed'
  return { kind: 'inconclusive', reason: plainText(reason, 1000) }
}

export const tooLarge = (bytesMax: number) => failure('E_OUTPUT_LIMIT', `its result is larger than ${bytesMax} bytes`)
