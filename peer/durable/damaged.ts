/** What a home has kept of a durable invocation, and is not as it was kept: nobody can go on with that one. */
import { MeshError } from '../../protocol/errors.ts'

export class Damaged extends MeshError {
  constructor(id: string, fault: string, options?: { cause: unknown }) {
    const message = `what its home has kept of invocation ${id} is damaged: ${fault}. What it had committed stays: look at that, begin it again from there, and look after the disk`
    super('E_STORAGE', { message, invocation: id }, options)
  }
}

/** What `read` returns. Throws Damaged where that throws: `what` is none of the invocation's any more. */
export const wholeOf = <T>(id: string, what: string, read: () => T): T => {
  try {
    return read()
  } catch (cause) {
    throw new Damaged(id, `${what} cannot be read: ${(cause as Error).message}`, { cause })
  }
}
