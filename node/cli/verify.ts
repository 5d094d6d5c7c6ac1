/** `wayside verify`: who signed what, and whether running it again here gives the same. No agent and no network. */
import { readFileSync, statSync } from 'node:fs'
import { type Verification, verifyReceiptFile } from '../../peer/verify-file.ts'
import { ERRORS, MeshError } from '../../protocol/errors.ts'
import { TIMEOUT_MS_MAX } from '../../protocol/limits.ts'
import { ReceiptFile } from '../../protocol/records.ts'
import { ENGINES } from '../../sandbox/engines.ts'
import { createSandboxPool } from '../../sandbox/pool.ts'
import { createNodePorts } from '../ports.ts'
import { onInterrupt, print, whileWaiting } from './terminal.ts'
import { isAllRight, verificationJson, verificationWords } from './verify-words.ts'

interface VerifyFlags {
  json?: boolean
}

/** A run is bounded by the fuel of its task; no executor was given longer than this. */
const TIMEOUT_MS = TIMEOUT_MS_MAX
const SANDBOX_IDLE_MS = 1000

const refuse = (file: string, why: string, cause?: unknown): MeshError => {
  const message = `${file} ${why}; give a file that \`wayside run --receipt FILE\` wrote, or a proof beside it`
  return new MeshError('E_USAGE', { message, file }, { cause })
}

const readWhole = (file: string): Uint8Array => {
  try {
    const found = statSync(file)
    if (!found.isFile()) throw new Error('it is no file')
    if (found.size <= ReceiptFile.bytesMax) return new Uint8Array(readFileSync(file))
  } catch (cause) {
    throw refuse(file, `cannot be read: ${(cause as Error).message}`, cause)
  }
  throw refuse(file, `is no receipt file: it is larger than ${ReceiptFile.bytesMax} bytes, the limit`)
}

/** Ctrl-C ends the run under way. Throws MeshError E_USAGE if the bytes are no receipt file, E_CANCELLED. */
const verifyBytes = async (file: string, bytes: Uint8Array): Promise<Verification> => {
  const ports = await createNodePorts({ listen: 'alone' })
  const pool = createSandboxPool(ports, { slots: 1, idleMs: SANDBOX_IDLE_MS })
  const { signal, dispose } = onInterrupt()
  signal.addEventListener('abort', () => pool.stop())
  try {
    const sandbox = { pool, engines: ENGINES, timeoutMs: TIMEOUT_MS }
    const checking = verifyReceiptFile(ports, sandbox, bytes)
    const verification = await whileWaiting('for the function to be run again here', checking)
    if (signal.aborted) throw new MeshError('E_CANCELLED', 'the check was cancelled')
    return verification
  } catch (cause) {
    if (!(cause instanceof MeshError) || !['E_MESSAGE', 'E_MESSAGE_LIMIT'].includes(cause.code)) throw cause
    throw refuse(file, `is no receipt file: ${cause.message}`, cause)
  } finally {
    dispose()
    await pool.stop()
  }
}

/** Exit status: 0 if every receipt of the file is right, else 5. */
export const verify = async (file: string, { json }: VerifyFlags): Promise<number> => {
  const verification = await verifyBytes(file, readWhole(file))
  if (json) for (const part of verificationJson(verification)) await print(part)
  else await print(verificationWords(verification))
  return isAllRight(verification) ? 0 : ERRORS.E_VERIFICATION_FAILED.exit
}
