/**
 * WASI preview 1 for a function: input on stdin, the rest bounded and the same in every run. There are no files, no
 * sockets and no environment; it is always one instant.
 */
import { wasi as defs, Fd, WASI, WASIProcExit } from '@bjorn3/browser_wasi_shim'
import { INSTANT_MS } from '../constants.ts'
import { IMPORT_GAS, IMPORT_GAS_A_BYTE, IO_VECTORS_MAX } from '../wasm/constants.ts'
import type { WasiName } from '../wasm/imports.ts'
import { ProgramExit } from './end.ts'
import type { ProgramInstance } from './instance.ts'
import { randomBytes } from './random.ts'

type WasiFunction = (...args: never[]) => unknown

/** What a program reads and writes. What is written may throw ProgramEnd. */
export interface Streams {
  input: Uint8Array
  output(bytes: Uint8Array): void
  errors(bytes: Uint8Array): void
}

/** Neither a terminal nor a file. */
const stat = (rights: number) => {
  const fdstat = new defs.Fdstat(defs.FILETYPE_UNKNOWN, 0)
  fdstat.fs_rights_base = BigInt(rights)
  return { ret: defs.ERRNO_SUCCESS, fdstat }
}

class Input extends Fd {
  #rest: Uint8Array
  constructor(bytes: Uint8Array) {
    super()
    this.#rest = bytes
  }
  override fd_fdstat_get() {
    return stat(defs.RIGHTS_FD_READ)
  }
  override fd_read(size: number) {
    const data = this.#rest.subarray(0, size)
    this.#rest = this.#rest.subarray(data.length)
    return { ret: defs.ERRNO_SUCCESS, data }
  }
}

class Output extends Fd {
  readonly #write: (bytes: Uint8Array) => void
  constructor(write: (bytes: Uint8Array) => void) {
    super()
    this.#write = write
  }
  override fd_fdstat_get() {
    return stat(defs.RIGHTS_FD_WRITE)
  }
  override fd_write(data: Uint8Array) {
    this.#write(data)
    return { ret: defs.ERRNO_SUCCESS, nwritten: data.length }
  }
}

const NANOSECONDS_A_MS = 1_000_000n
const CLOCKS: readonly number[] = [defs.CLOCKID_REALTIME, defs.CLOCKID_MONOTONIC]
const VECTORS: ReadonlySet<string> = new Set(['fd_read', 'fd_write', 'fd_pread', 'fd_pwrite'])
const VECTOR_BYTES = 8

/** Those of the shim that would wait, or look at this machine, in forms that do not. */
const ownFunctions = (guest: () => ProgramInstance, seed: Uint8Array): Partial<Record<WasiName, WasiFunction>> => {
  const random = randomBytes(seed)
  const view = () => new DataView(guest().bytes.buffer)
  const clock = (id: number, at: number, value: bigint) => {
    if (!CLOCKS.includes(id)) return defs.ERRNO_INVAL
    view().setBigUint64(at, value, true)
    return defs.ERRNO_SUCCESS
  }
  return {
    clock_res_get: (id: number, at: number) => clock(id, at, NANOSECONDS_A_MS),
    clock_time_get: (id: number, _precision: bigint, at: number) =>
      clock(id, at, BigInt(INSTANT_MS) * NANOSECONDS_A_MS),
    random_get: (at: number, length: number) => {
      const place = guest().bytes.subarray(at >>> 0, (at >>> 0) + (length >>> 0))
      if (place.length !== length >>> 0) return defs.ERRNO_FAULT
      guest().charge(place.length * IMPORT_GAS_A_BYTE)
      place.set(random(place.length))
      return defs.ERRNO_SUCCESS
    },
    proc_raise: (signal: number) => {
      throw new ProgramExit(128 + (signal & 127))
    },
    poll_oneoff: () => defs.ERRNO_NOTSUP,
    sched_yield: () => defs.ERRNO_SUCCESS,
  }
}

/** Bytes that the vectors at `at` name together; each is looked at once. */
const vectorsBytes = (memory: Uint8Array, at: number, count: number): number => {
  const view = new DataView(memory.buffer)
  let bytes = 0
  for (let i = 0; i < count; i++) bytes += Math.min(view.getUint32(at + i * VECTOR_BYTES + 4, true), memory.length)
  return bytes
}

const NO_MEMORY = { buffer: new ArrayBuffer(0) }

/** `guest` is asked once the module runs. `names`: what it imports. */
export const wasiImports = (
  names: readonly WasiName[],
  guest: () => ProgramInstance,
  streams: Streams,
  seed: Uint8Array,
): Record<string, WasiFunction> => {
  const fds = [new Input(streams.input), new Output(streams.output), new Output(streams.errors)]
  const shim = new WASI([], [], fds, { debug: false })
  // It reaches the memory through this alone.
  Object.defineProperty(shim, 'inst', { get: () => ({ exports: { memory: guest().memory ?? NO_MEMORY } }) })
  const own = ownFunctions(guest, seed)
  const paid = (name: WasiName): WasiFunction => {
    const inner =
      own[name] ??
      (name.startsWith('path_') || name.startsWith('sock_') ? () => defs.ERRNO_BADF : shim.wasiImport[name])
    return (...args: readonly number[]) => {
      guest().charge(IMPORT_GAS)
      try {
        if (VECTORS.has(name)) {
          const [, at = 0, count = 0] = args
          if (count < 0 || count > IO_VECTORS_MAX) return defs.ERRNO_INVAL
          guest().charge(vectorsBytes(guest().bytes, at, count) * IMPORT_GAS_A_BYTE)
        }
        return (inner as (...args: readonly number[]) => unknown)(...args)
      } catch (thrown) {
        if (thrown instanceof WASIProcExit) throw new ProgramExit(thrown.code)
        // An address that is none.
        if (thrown instanceof RangeError) return defs.ERRNO_FAULT
        throw thrown
      }
    }
  }
  return Object.fromEntries(names.map((name) => [name, paid(name)]))
}
