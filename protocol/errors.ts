/** The closed table of error codes: what each means, who is to blame, whether to retry. */

export type Blame = 'caller' | 'function' | 'executor' | 'mesh' | 'owner' | 'wayside'
/** never: the same request fails again. elsewhere: another executor may succeed. later: the same one may, after a while. */
export type Retry = 'never' | 'elsewhere' | 'later'

interface ErrorEntry {
  readonly meaning: string
  readonly blame: Blame
  readonly retry: Retry
  /** Exit status of the command line. */
  readonly exit: 1 | 2 | 3 | 4 | 5 | 6 | 124 | 130
}

const entry = (meaning: string, blame: Blame, retry: Retry, exit: ErrorEntry['exit']): ErrorEntry => ({
  meaning,
  blame,
  retry,
  exit,
})

// biome-ignore format: a table reads best with one row a line.
export const ERRORS = {
  E_USAGE: entry('the command or the call was not understood', 'caller', 'never', 2),
  E_CONFIG: entry('a configuration value is unknown or out of its range', 'owner', 'never', 2),
  E_VALUE: entry('a value cannot cross the boundary', 'function', 'never', 1),
  E_INPUT: entry('the input is not a Value, or is larger than its limit', 'caller', 'never', 2),
  E_BUNDLE: entry('the function could not be bundled', 'caller', 'never', 2),
  E_FUNCTION_SYNTAX: entry('the function does not parse', 'function', 'never', 1),
  E_MODULE_REFUSED: entry('a WebAssembly module of the function is not valid, or could run without paying for it', 'function', 'never', 1),
  E_FUNCTION_LOAD: entry('the function threw, or did not finish, while its module was evaluated', 'function', 'never', 1),
  E_FUNCTION_THREW: entry('the function threw', 'function', 'never', 1),
  E_FUNCTION_PENDING: entry('the function waits for a promise that nothing will settle', 'function', 'never', 1),
  E_EXPORT_UNKNOWN: entry('the function has no such export, or it is not callable', 'caller', 'never', 2),
  E_HANDLER_UNSUPPORTED: entry('the default export is an object of handlers, none of which this version serves', 'caller', 'never', 2),
  E_EFFECT_UNDECLARED: entry('the function requested an effect that its manifest does not declare', 'function', 'never', 1),
  E_CALL_DEPTH: entry('calls are nested deeper than 16', 'function', 'never', 1),
  E_FUEL_LIMIT: entry('the function used up its fuel', 'function', 'never', 3),
  E_MEMORY_LIMIT: entry('the function used up its memory', 'function', 'never', 3),
  E_STACK_LIMIT: entry('the function recursed too deep, where it cannot catch that', 'function', 'never', 3),
  E_OUTPUT_LIMIT: entry('the result is larger than its limit', 'function', 'never', 3),
  E_TIMEOUT: entry('no answer came before the deadline', 'mesh', 'later', 124),
  E_CANCELLED: entry('the caller cancelled', 'caller', 'never', 130),
  E_NO_PEER: entry('no peer in reach took the work', 'mesh', 'later', 4),
  E_NO_MEMORY: entry('no peer in reach lends as much memory as the task asks for', 'mesh', 'later', 4),
  E_UNREACHABLE: entry('the address or peer could not be reached', 'mesh', 'later', 4),
  E_BUSY: entry('the executor has no room now', 'executor', 'elsewhere', 4),
  E_PAUSED: entry('the owner has paused this machine', 'owner', 'elsewhere', 4),
  E_NOT_ACCEPTED: entry('the owner of this machine does not accept work from this peer', 'owner', 'elsewhere', 4),
  E_QUOTA: entry('the invoker has, or has lately used, as much of this machine as its owner lends one peer', 'caller', 'elsewhere', 4),
  E_STOPPING: entry('the agent is shutting down', 'executor', 'elsewhere', 4),
  E_EXECUTOR_LOST: entry('the executor fell silent or left', 'executor', 'elsewhere', 4),
  E_INCONCLUSIVE: entry('the run ended without an outcome: killed by the wall clock, or the host trapped', 'executor', 'elsewhere', 4),
  E_ENGINE_UNAVAILABLE: entry('no peer in reach carries the engine of this task', 'mesh', 'later', 4),
  E_EFFECT_UNSERVED: entry('the executor passes on no effect of a kind that the function declares', 'executor', 'elsewhere', 4),
  E_BLOCK_MISSING: entry('a block of the function could not be fetched', 'mesh', 'elsewhere', 4),
  E_BLOCK_MISMATCH: entry('the bytes of a block do not match its CID', 'executor', 'elsewhere', 4),
  E_STORAGE_FULL: entry('the block store has reached its byte budget', 'owner', 'elsewhere', 4),
  E_STORAGE: entry('the storage failed', 'owner', 'later', 4),
  E_VERIFICATION_FAILED: entry('executions disagree, or re-execution gave another outcome', 'executor', 'elsewhere', 5),
  E_QUORUM_INSUFFICIENT: entry('too few independent executors were found for the quorum', 'mesh', 'later', 5),
  E_RECEIPT: entry('a receipt does not belong to this task, attempt, executor or engine', 'executor', 'elsewhere', 5),
  E_REPLAY_DIVERGED: entry('the function made another request than its journal holds', 'executor', 'elsewhere', 5),
  E_SIGNATURE: entry('a signature or its path does not verify', 'executor', 'never', 5),
  E_MESSAGE: entry('the bytes are not a valid message', 'executor', 'never', 4),
  E_MESSAGE_LIMIT: entry('a message is larger than its limit', 'executor', 'never', 4),
  E_PROTOCOL_VERSION: entry('the peers share no protocol version', 'mesh', 'never', 4),
  E_MESH_MISMATCH: entry('the peer belongs to another mesh', 'mesh', 'never', 4),
  E_NOT_ADMITTED: entry('the mesh is private and the peer showed no valid ticket or membership', 'caller', 'never', 4),
  E_TICKET: entry('the ticket is malformed or its signature is wrong', 'caller', 'never', 2),
  E_TICKET_EXPIRED: entry('the ticket has expired', 'caller', 'never', 2),
  E_ADDRESS: entry('the address is not a multiaddr that this peer can dial', 'caller', 'never', 2),
  E_AGENT_NOT_RUNNING: entry('no agent answers in this data directory', 'caller', 'later', 6),
  E_DATA_DIR_TAKEN: entry('another agent holds this data directory', 'owner', 'never', 6),
  E_DATA_SCHEMA: entry('the data was written by a newer version', 'owner', 'never', 6),
  E_RESUME: entry('the output file belongs to another function, input or limits', 'caller', 'never', 2),
  E_GRANT: entry('the grant of the caller does not cover the request, or is used up', 'function', 'never', 1),
  E_REVISION: entry('the state at that revision is no longer kept, or not there yet', 'mesh', 'later', 4),
  E_STATE_UNAVAILABLE: entry('the state cannot be reached now', 'mesh', 'later', 4),
  E_STATE_QUOTA: entry('the namespace, or all of one caller together, holds as much as the owner of the home allows', 'owner', 'never', 3),
  E_STATE_MOVING: entry('the namespace is being moved and takes no writes', 'owner', 'later', 4),
  E_NAMESPACE_TAKEN: entry('the namespace belongs to another key or home', 'owner', 'never', 6),
  E_NO_HOME: entry('no home holds a delegation of the caller', 'caller', 'never', 4),
  E_EFFECT_OUTCOME_UNKNOWN: entry('whether an effect outside was performed is not known, and the grant says not to repeat it', 'mesh', 'never', 1),
  E_FETCH: entry('a fetch failed: no answer, or none that is allowed', 'function', 'never', 1),
  E_INTERNAL: entry('a defect in wayside', 'wayside', 'never', 1),
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof ERRORS

export const isErrorCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(ERRORS, code)

/** What was wrong and what to do, in words, plus whatever names the case (path, limit, peer). */
export interface ErrorFields {
  message: string
  [field: string]: unknown
}

/** Thrown for misuse and for what ends a call. `code` is one of `ERRORS`; `fields` name the case. */
export class MeshError extends Error {
  readonly code: ErrorCode
  readonly fields: ErrorFields

  constructor(code: ErrorCode, fields: ErrorFields | string, options?: { cause?: unknown }) {
    const named = typeof fields === 'string' ? { message: fields } : fields
    super(named.message, options)
    this.name = 'MeshError'
    this.code = code
    this.fields = named
  }

  get blame(): Blame {
    return ERRORS[this.code].blame
  }

  get retry(): Retry {
    return ERRORS[this.code].retry
  }
}
