/** How runs end that return nothing. */
import { MESSAGE_CHARS_MAX, PUT_BLOCKS_MAX, STATE_BLOCK_BYTES } from '../protocol/limits.ts'
import type { Outcome, OutcomeErrorCode } from '../protocol/outcome.ts'
import type { Engine } from './engine.ts'
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

export const tooMuchPut = () =>
  failure('E_OUTPUT_LIMIT', `what it puts comes to over ${PUT_BLOCKS_MAX * STATE_BLOCK_BYTES} bytes`)

/** A run that failed after it was refused memory failed for that, whatever it threw; the engine may throw even null. */
export const resultOf = (end: Outcome['result'], { refused, bytesMax }: Engine): Outcome['result'] => {
  const starved =
    !end.ok &&
    refused &&
    (end.code === 'E_FUNCTION_THREW' || end.code === 'E_FUNCTION_PENDING' || end.code === 'E_MEMORY_LIMIT')
  if (!starved) return end
  const then = end.message && `, then: ${end.message}`
  return failure('E_MEMORY_LIMIT', `it used up its ${bytesMax} bytes of memory${then}`, end.stack)
}
