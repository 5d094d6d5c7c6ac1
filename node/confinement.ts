/**
 * How the operating system cuts a sandbox process off: what starts Node so that it reaches nothing but its own files and
 * its pipes (decision 33). On Linux by namespaces that need no root, made with the tools of util-linux; elsewhere by
 * Node's own permission model alone, which is no boundary.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { MEMORY_BYTES_MAX, MIB } from '../protocol/limits.ts'

export interface Command {
  file: string
  args: string[]
}

/** What a process may read: absolute paths of files, and of folders with all that is in them. */
export interface Readable {
  own: readonly string[]
  /** Compiled code. Node's permission model wants it writable; in a namespace it is not. */
  cache?: string | undefined
  /** What its agent hands it there, by name. */
  shared?: string | undefined
}

/**
 * The threads that Node has for a program of one thread: its own, one that waits for V8, four that compile. None is left
 * for a process or a worker. The system counts them for each user of a user namespace, so this is set inside one.
 */
const THREADS = 6
/** Three pipes, and what Node opens to wait for events and to read modules. */
const FILES = 64
/** Not of address space, of which each WebAssembly memory reserves 10 GiB: of memory that can be written. */
const DATA_BYTES = MEMORY_BYTES_MAX + 1024 * MIB

const LIMITS = [
  `--nofile=${FILES}:${FILES}`,
  `--data=${DATA_BYTES}:${DATA_BYTES}`,
  // No file grows, also none in memory, and no crash leaves what a guest had on the disk.
  ...['--fsize=0:0', '--core=0:0', '--msgqueue=0:0'],
]

/** `nobody`: whom a process is inside, and outside too where the agent is root. */
export const NOBODY = 65_534

/** Where the new root is put together: there is no Linux without this folder, and no program of anybody's is in it. */
const MOUNT_POINT = '/sys'

/** Neither addons, workers, children nor an inspector. */
const permissions = ({ own, cache, shared }: Readable): string[] => {
  const pattern = (path: string) => (statSync(path).isDirectory() ? `${path}/*` : path)
  const read = [...own, ...(shared ? [shared] : [])].map((path) => `--allow-fs-read=${pattern(path)}`)
  const cached = cache ? [`--allow-fs-read=${cache}/*`, `--allow-fs-write=${cache}/*`] : []
  return ['--permission', '--disable-sigusr1', ...read, ...cached]
}

const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin']

const toolAt = (name: string): string => {
  const found = FOLDERS.map((folder) => `${folder}/${name}`).find(existsSync)
  if (found === undefined) throw new Error(`${name} is not installed (Debian: \`apt-get install util-linux\`)`)
  return found
}

/** The libraries that a program is linked with, as its loader finds them. */
const librariesOf = (program: string): string[] => {
  const { stdout } = spawnSync(program, ['--version'], { env: { LD_TRACE_LOADED_OBJECTS: '1' }, encoding: 'utf8' })
  return [...(stdout ?? '').matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path as string)
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** A path as a table of mounts wants it. */
const escaped = (path: string): string =>
  path.replace(/[\s\\]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`)

/**
 * A shell script that becomes `command` under a root with nothing but `paths`, which cannot be written. A change of root
 * is enough, since who has neither a capability nor an open folder cannot leave it, nor make a namespace in it.
 */
const rootedScript = (paths: readonly string[], command: readonly string[]): string => {
  const folders = paths.map((path) => (statSync(path).isDirectory() ? path : dirname(path)))
  const files = paths.filter((path) => !statSync(path).isDirectory())
  const table = paths.map(
    (path) => `${escaped(path)} ${MOUNT_POINT}/root${escaped(path)} none bind,ro,nosuid,nodev 0 0`,
  )
  return [
    'set -e',
    `mount -t tmpfs -o size=64k,mode=755,nosuid,nodev wayside ${MOUNT_POINT}`,
    `cd ${MOUNT_POINT}`,
    `mkdir -p root/empty ${[...new Set(folders)].map((folder) => quoted(`root${folder}`)).join(' ')}`,
    ...files.map((file) => `: > ${quoted(`root${file}`)}`),
    `printf '%s\\n' ${table.map(quoted).join(' ')} > table`,
    'mount -a -T table',
    `mount -o remount,bind,ro,nosuid,nodev ${MOUNT_POINT}`,
    'unset PWD OLDPWD',
    `exec ${command.map(quoted).join(' ')}`,
  ].join('\n')
}

/** Dies with the process that starts it, however that ends. */
const bound = (setpriv: string, command: readonly string[]): Command => ({
  file: setpriv,
  args: ['--pdeathsig=KILL', ...command],
})

/** Node with `args` in namespaces of its own. Throws an Error that says what this machine lacks. */
export const confinedStart = (readable: Readable, args: readonly string[]): Command => {
  if (process.platform !== 'linux') throw new Error('this system cannot cut off a process without root')
  const [unshare, prlimit, setpriv] = ['unshare', 'prlimit', 'setpriv'].map(toolAt) as [string, string, string]
  const programs = [process.execPath, prlimit, setpriv]
  const paths = [...programs, ...programs.flatMap(librariesOf), ...readable.own]
  for (const path of [readable.cache, readable.shared]) if (path) paths.push(path)
  const isRoot = process.getuid?.() === 0
  const command = [
    // Another user outside as well: root owns much of a system, and its threads are not counted.
    ...(isRoot ? [setpriv, `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--pdeathsig=KILL'] : []),
    ...[unshare, `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, '--keep-caps', '--root=root', '--wd=/empty'],
    ...[prlimit, `--nproc=${THREADS}:${THREADS}`, ...LIMITS],
    ...[setpriv, '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all'],
    ...[process.execPath, ...permissions(readable), ...args],
  ]
  return bound(setpriv, [
    ...[unshare, ...(isRoot ? [] : ['--map-root-user'])],
    ...['--mount', '--net', '--pid', '--ipc', '--uts', '--kill-child'],
    ...['/bin/sh', '-c', rootedScript([...new Set(paths)], command)],
  ])
}

/** The same without namespaces. Compiled code is not read there: what a process could write, the next would run. */
export const permittedStart = ({ own, shared }: Readable, args: readonly string[]): Command => {
  const node = [process.execPath, ...permissions({ own, shared }), ...args]
  try {
    const [setpriv, prlimit] = ['setpriv', 'prlimit'].map(toolAt) as [string, string]
    return bound(setpriv, ['--no-new-privs', prlimit, ...LIMITS, ...node])
  } catch {
    return { file: process.execPath, args: node.slice(1) }
  }
}

const settingIs = (name: string, value: string): boolean => {
  try {
    return readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').trim() === value
  } catch {
    return false
  }
}

/** Settings of a system that keep its users from making namespaces, and the values that do. */
const REFUSALS = [
  ['kernel.apparmor_restrict_unprivileged_userns', '1', '0'],
  ['kernel.unprivileged_userns_clone', '0', '1'],
  ['user.max_user_namespaces', '0', '10000'],
] as const

/** What keeps `confinedStart` from working here, and what to do, for the owner of the machine. */
export const missingWords = (reason: string): string => {
  const refusal = REFUSALS.find(([name, value]) => settingIs(name, value))
  if (refusal) return `${reason}; \`sysctl -w ${refusal[0]}=${refusal[2]}\` lets users make namespaces`
  return /not permitted|denied/i.test(reason)
    ? `${reason}; in a container, let it make user namespaces (seccomp, CAP_SYS_ADMIN)`
    : reason
}
