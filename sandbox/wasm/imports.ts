/** What a module may import: WASI preview 1, and what AssemblyScript calls when it gives up. */
import type { FunctionType, ValueType } from './form.ts'

export const WASI_MODULE = 'wasi_snapshot_preview1'

/**
 * The parameters of each WASI function: `i` is an i32, `I` an i64. All return an error number but `proc_exit`, which does
 * not return. Source: the witx files of wasi_snapshot_preview1.
 */
export const WASI_FUNCTIONS = {
  args_get: 'ii',
  args_sizes_get: 'ii',
  environ_get: 'ii',
  environ_sizes_get: 'ii',
  clock_res_get: 'ii',
  clock_time_get: 'iIi',
  fd_advise: 'iIIi',
  fd_allocate: 'iII',
  fd_close: 'i',
  fd_datasync: 'i',
  fd_fdstat_get: 'ii',
  fd_fdstat_set_flags: 'ii',
  fd_fdstat_set_rights: 'iII',
  fd_filestat_get: 'ii',
  fd_filestat_set_size: 'iI',
  fd_filestat_set_times: 'iIIi',
  fd_pread: 'iiiIi',
  fd_prestat_get: 'ii',
  fd_prestat_dir_name: 'iii',
  fd_pwrite: 'iiiIi',
  fd_read: 'iiii',
  fd_readdir: 'iiiIi',
  fd_renumber: 'ii',
  fd_seek: 'iIii',
  fd_sync: 'i',
  fd_tell: 'ii',
  fd_write: 'iiii',
  path_create_directory: 'iii',
  path_filestat_get: 'iiiii',
  path_filestat_set_times: 'iiiiIIi',
  path_link: 'iiiiiii',
  path_open: 'iiiiiIIii',
  path_readlink: 'iiiiii',
  path_remove_directory: 'iii',
  path_rename: 'iiiiii',
  path_symlink: 'iiiii',
  path_unlink_file: 'iii',
  poll_oneoff: 'iiii',
  proc_exit: 'i',
  proc_raise: 'i',
  random_get: 'ii',
  sched_yield: '',
  sock_accept: 'iii',
  sock_recv: 'iiiiii',
  sock_send: 'iiiii',
  sock_shutdown: 'ii',
} as const

export type WasiName = keyof typeof WASI_FUNCTIONS

const typesOf = (letters: string): ValueType[] => [...letters].map((letter) => (letter === 'I' ? 'i64' : 'i32'))

const wasi = (Object.keys(WASI_FUNCTIONS) as WasiName[]).map((name): [string, FunctionType] => [
  `${WASI_MODULE}.${name}`,
  { params: typesOf(WASI_FUNCTIONS[name]), results: name === 'proc_exit' ? [] : ['i32'] },
])

/** By `module.name`, as `MeteredLimits` wants them. `env.abort`: message, file, line, column. */
export const IMPORTS: ReadonlyMap<string, FunctionType> = new Map<string, FunctionType>([
  ...wasi,
  ['env.abort', { params: ['i32', 'i32', 'i32', 'i32'], results: [] }],
])
