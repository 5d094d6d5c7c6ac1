/** What `verify` and `replay` share: a receipt file, and a sandbox of its own to run what is in it. */
import { readFileSync, statSync } from 'node:fs'
import type { VerifySandbox } from '../../peer/verify-file.ts'
import { MeshError } from '../../protocol/errors.ts'
import { TIMEOUT_MS_MAX } from '../../protocol/limits.ts'
import type { Ports } from '../../protocol/ports.ts'
import { ReceiptFile } from '../../protocol/records.ts'
import { createSandboxPool } from '../../sandbox/pool.ts'
import { createNodePorts } from '../ports.ts'
import { CARRIED_ENGINES } from '../sandbox-releases.ts'
import { onInterrupt, whileWaiting } from './terminal.ts'

/** A run is bounded by the fuel of its task; no executor was given longer than this. */
const TIMEOUT_MS = TIMEOUT_MS_MAX
const SANDBOX_IDLE_MS = 1000

const refuse = (file: string, why: string, cause?: unknown): MeshError => {
  const message = `${file} ${why}; give a file that \`wayside run --receipt FILE\` wrote, a proof beside it, or, to be replayed, the ID of a durable invocation`
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

type CheckPorts = Pick<Ports, 'clock' | 'crypto' | 'log'>

/** Ctrl-C ends the run under way. Throws MeshError E_CANCELLED, and what `check` throws. */
export const inSandbox = async <T>(check: (ports: CheckPorts, sandbox: VerifySandbox) => Promise<T>): Promise<T> => {
  const ports = await createNodePorts({ listen: 'alone' })
  const pool = createSandboxPool(ports, { slots: 1, idleMs: SANDBOX_IDLE_MS })
  const { signal, dispose } = onInterrupt()
  signal.addEventListener('abort', () => pool.stop())
  try {
    const checking = check(ports, { pool, engines: CARRIED_ENGINES, timeoutMs: TIMEOUT_MS })
    const checked = await whileWaiting('for the function to be run again here', checking)
    if (signal.aborted) throw new MeshError('E_CANCELLED', 'the check was cancelled')
    return checked
  } catch (cause) {
    throw signal.aborted ? new MeshError('E_CANCELLED', 'the check was cancelled', { cause }) : cause
  } finally {
    dispose()
    await pool.stop()
  }
}

/** As `inSandbox`. Throws MeshError E_USAGE if the file cannot be read or is no receipt file. */
export const ofReceiptFile = <T>(
  file: string,
  check: (ports: CheckPorts, sandbox: VerifySandbox, bytes: Uint8Array) => Promise<T>,
): Promise<T> => {
  const bytes = readWhole(file)
  return inSandbox((ports, sandbox) => check(ports, sandbox, bytes)).catch((cause) => {
    if (!(cause instanceof MeshError) || !['E_MESSAGE', 'E_MESSAGE_LIMIT'].includes(cause.code)) throw cause
    throw refuse(file, `is no receipt file: ${cause.message}`, cause)
  })
}
