/**
 * How a program ends before its time. They are told by their names: where the tier is a bundle of its own, it has classes
 * of its own.
 */
import type { OutcomeErrorCode } from '../../protocol/outcome.ts'

/** Thrown through a module's frames where the run has its end already, and by calls that have one. */
export class ProgramEnd extends Error {
  override readonly name = 'ProgramEnd'
  readonly code: OutcomeErrorCode
  constructor(code: OutcomeErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** The same for a program that ends itself. */
export class ProgramExit extends Error {
  override readonly name = 'ProgramExit'
  readonly status: number
  constructor(status: number) {
    super(`exit ${status}`)
    this.status = status
  }
}

export const isProgramEnd = (thrown: unknown): thrown is ProgramEnd =>
  thrown instanceof Error && thrown.name === 'ProgramEnd'

export const isProgramExit = (thrown: unknown): thrown is ProgramExit =>
  thrown instanceof Error && thrown.name === 'ProgramExit'
