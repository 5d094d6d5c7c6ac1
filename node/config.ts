/**
 * The one configuration of this machine. A setting is taken from its flag, else from its WAYSIDE_* variable, else from
 * the configuration file, else it is the default. The file is JSON: that of --config (or WAYSIDE_CONFIG), else
 * config.json in the data directory; so the data directory itself is no setting of the file.
 */
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import * as v from 'valibot'
import { QUEUE_ITEMS_MAX, QUOTA_DEFAULT, type Quota } from '../peer/admission.ts'
import { addressKind } from '../protocol/address-kind.ts'
import { MeshError } from '../protocol/errors.ts'
import { isPeerId } from '../protocol/identity.ts'
import {
  ADDRESSES_MAX,
  FUEL_MAX,
  MEMORY_BYTES_DEFAULT,
  MEMORY_BYTES_MAX,
  MEMORY_BYTES_MIN,
  MIB,
  TIMEOUT_MS_MAX,
} from '../protocol/limits.ts'
import type { LogLevel } from '../protocol/log.ts'
import { isTicketText } from '../protocol/mesh.ts'
import { parseDuration, parseSize } from '../sdk/bundle/units.ts'
import { DATA_DIR_DEFAULT } from './data-dir.ts'
import { nearest } from './nearest.ts'

/** The lists are looked through for every batch of tasks. */
const PEERS_MAX = 256
/** Nodes of one etcd: more than seven gain nothing. Source: etcd.io/docs/v3.4/faq, "what is maximum cluster size". */
const ETCD_ENDPOINTS_MAX = 16
const ETCD_PREFIX_DEFAULT = 'wayside/'
const DISK_BYTES_DEFAULT = 1024 * MIB
const DISK_BYTES_MIN = 16 * MIB
/** On every interface, or nobody could use the machine; what a stranger can reach there is the handshake. */
const LISTEN_DEFAULT = '/ip4/0.0.0.0/tcp/0'
/** The page by https, and the data by WebRTC: its certificate is named in the ticket, so that nobody need vouch for it. */
const LISTEN_PHONE = ['/ip4/0.0.0.0/tcp/0/tls/ws', '/ip4/0.0.0.0/udp/0/webrtc-direct']

const integer = (min: number, max: number, what: string) =>
  v.pipe(
    v.number(`expected ${what}`),
    v.check((n) => Number.isInteger(n) && n >= min && n <= max, `expected ${what} from ${min} to ${max}`),
  )

const size = (min: number, max: number) =>
  v.pipe(
    v.string('expected a SIZE such as "512MiB"'),
    v.transform((text) => parseSize(text) ?? Number.NaN),
    v.check((bytes) => !Number.isNaN(bytes), 'expected a SIZE such as "512MiB" or "2GiB"'),
    v.check((bytes) => bytes >= min, `expected at least ${min / MIB}MiB`),
    v.check((bytes) => bytes <= max, `expected at most ${max / MIB}MiB`),
  )

const duration = (max: number) =>
  v.pipe(
    v.string('expected a DURATION such as "30s"'),
    v.transform((text) => parseDuration(text) ?? Number.NaN),
    v.check((ms) => !Number.isNaN(ms), 'expected a DURATION such as "500ms", "30s" or "5m"'),
    v.check((ms) => ms <= max, `expected at most ${max / 3_600_000}h`),
  )

const texts = (valid: (text: string) => boolean, expected: string, max: number) =>
  v.pipe(v.array(v.pipe(v.string(expected), v.check(valid, expected)), 'expected a list'), v.maxLength(max))

const isAccept = (text: string) => ['self', 'mesh', 'anyone'].includes(text) || isPeerId(text)
const isHttps = (text: string) => URL.canParse(text) && new URL(text).protocol === 'https:'
const isEndpoint = (text: string) =>
  URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).pathname === '/'
const isAddress = (text: string) => /^\/[a-z0-9]+\//.test(text)

const schema = v.strictObject({
  cpus: v.optional(integer(0, 1024, 'a whole number of cores')),
  memory: v.optional(size(MEMORY_BYTES_MIN, 1024 * 1024 * MIB)),
  disk: v.optional(size(DISK_BYTES_MIN, 1024 * 1024 * MIB)),
  accept: v.optional(texts(isAccept, 'expected self, mesh, anyone or a PeerId (12D3KooW…)', PEERS_MAX)),
  deny: v.optional(texts(isPeerId, 'expected a PeerId (12D3KooW…)', PEERS_MAX)),
  listen: v.optional(texts(isAddress, 'expected a multiaddr such as /ip4/0.0.0.0/tcp/0', ADDRESSES_MAX)),
  join: v.optional(
    texts((text) => isTicketText(text) || isAddress(text), 'expected a ticket (wayside1…) or a multiaddr (/ip4/…)', 64),
  ),
  own: v.optional(v.boolean('expected true or false')),
  mdns: v.optional(v.boolean('expected true or false')),
  phone: v.optional(v.boolean('expected true or false')),
  relay: v.optional(v.boolean('expected true or false')),
  public_url: v.optional(
    v.pipe(
      v.string('expected an https URL'),
      v.check(isHttps, 'expected the https URL of a page, such as "https://mesh.example/"'),
    ),
  ),
  etcd: v.optional(
    texts(isEndpoint, 'expected the URL of a node of etcd, such as "http://10.0.0.1:2379"', ETCD_ENDPOINTS_MAX),
  ),
  etcd_prefix: v.optional(
    v.pipe(v.string('expected a text'), v.regex(/^[!-~]{1,64}$/, 'expected 1 to 64 of printable ASCII')),
  ),
  etcd_ca: v.optional(v.string('expected a file')),
  etcd_cert: v.optional(v.string('expected a file')),
  etcd_key: v.optional(v.string('expected a file')),
  etcd_user: v.optional(v.string('expected a name')),
  etcd_password: v.optional(v.string('expected a file')),
  log_level: v.optional(v.picklist(['debug', 'info', 'warn', 'error'], 'expected debug, info, warn or error')),
  log_format: v.optional(v.picklist(['text', 'json'], 'expected text or json')),
  verify: v.optional(
    v.pipe(v.string(), v.regex(/^(none|audit|self|quorum:[1-9][0-9]?)$/, 'expected none, audit, self or quorum:N')),
  ),
  timeout: v.optional(duration(TIMEOUT_MS_MAX)),
  fuel: v.optional(integer(1, FUEL_MAX, 'a whole number of steps')),
  quota_items: v.optional(integer(1, QUEUE_ITEMS_MAX, 'a whole number of tasks')),
  quota_fuel_per_minute: v.optional(integer(1, Number.MAX_SAFE_INTEGER, 'a whole number of steps')),
  quota_bytes_per_minute: v.optional(size(MIB, 1024 * 1024 * MIB)),
  quota_queue_share: v.optional(
    v.pipe(
      v.number('expected a part, such as 0.5'),
      v.minValue(0, 'expected at least 0'),
      v.maxValue(1, 'expected at most 1'),
    ),
  ),
})

type Layer = v.InferOutput<typeof schema>
export type ConfigKey = keyof Layer & string
const KEYS = Object.keys(schema.entries) as ConfigKey[]

/** How a setting is written where everything is text: a flag, or a variable. */
const FROM_TEXT: { [K in ConfigKey]: 'text' | 'number' | 'list' | 'boolean' } = {
  cpus: 'number',
  memory: 'text',
  disk: 'text',
  accept: 'list',
  deny: 'list',
  listen: 'list',
  join: 'list',
  own: 'boolean',
  mdns: 'boolean',
  phone: 'boolean',
  relay: 'boolean',
  public_url: 'text',
  etcd: 'list',
  etcd_prefix: 'text',
  etcd_ca: 'text',
  etcd_cert: 'text',
  etcd_key: 'text',
  etcd_user: 'text',
  etcd_password: 'text',
  log_level: 'text',
  log_format: 'text',
  verify: 'text',
  timeout: 'text',
  fuel: 'number',
  quota_items: 'number',
  quota_fuel_per_minute: 'number',
  quota_bytes_per_minute: 'text',
  quota_queue_share: 'number',
}

const fromText = (key: ConfigKey, text: string): unknown => {
  switch (FROM_TEXT[key]) {
    case 'number':
      return /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : text
    case 'list':
      return text.split(/[\s,]+/).filter((part) => part !== '')
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text
    default:
      return text
  }
}

/** `named` is how a message calls a key of this layer, such as `--cpus`. */
const parseLayer = (given: Record<string, unknown>, named: (key: string) => string): Layer => {
  const parsed = v.safeParse(schema, given, { abortEarly: true })
  if (parsed.success) return parsed.output
  const issue = parsed.issues[0]
  const key = String(issue.path?.[0]?.key ?? '')
  const found = JSON.stringify(issue.path?.at(-1)?.value ?? given[key])
  throw new MeshError('E_CONFIG', { message: `${named(key)}: ${issue.message}, found ${found}`, key })
}

const readFileLayer = (file: string, required: boolean): Layer => {
  if (!required && !existsSync(file)) return {}
  const refuse = (why: string, cause?: unknown) =>
    new MeshError('E_CONFIG', { message: `${file}: ${why}`, file }, { cause })
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw refuse(`cannot be read as JSON (${(cause as Error).message})`, cause)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw refuse('holds no object; write {}')
  const unknown = Object.keys(parsed).find((key) => !(KEYS as string[]).includes(key))
  if (unknown !== undefined) {
    const meant = nearest(unknown, KEYS)
    throw refuse(`${unknown} is no setting; ${meant ? `did you mean ${meant}?` : `there are ${KEYS.join(', ')}`}`)
  }
  return parseLayer(parsed as Record<string, unknown>, (key) => `${file}: ${key}`)
}

const readEnvironment = (env: NodeJS.ProcessEnv): Layer => {
  const given: Record<string, unknown> = {}
  for (const key of KEYS) {
    const text = env[`WAYSIDE_${key.toUpperCase()}`]
    if (text) given[key] = fromText(key, text)
  }
  return parseLayer(given, (key) => `WAYSIDE_${key.toUpperCase()}`)
}

const flagOf = (key: string) => `--${key.replaceAll('_', '-')}`

/** Flags as the command line has them: texts, lists of texts, booleans. */
export type Flags = { [K in ConfigKey]?: string | number | readonly string[] | boolean | undefined } & {
  data?: string | undefined
  config?: string | undefined
}

const readFlags = (flags: Flags): Layer => {
  const given: Record<string, unknown> = {}
  for (const key of KEYS) {
    const value = flags[key]
    if (value !== undefined) given[key] = typeof value === 'string' ? fromText(key, value) : value
  }
  return parseLayer(given, flagOf)
}

export interface Machine {
  cores: number
  freeBytes: number
}

const thisMachine = (): Machine => ({ cores: availableParallelism(), freeBytes: process.availableMemory() })

/** An etcd that homes on several machines keep their state in. What is a file is read when the agent starts. */
export interface EtcdConfig {
  endpoints: string[]
  /** Before every key: homes with the same one share their state. */
  prefix: string
  /** PEM: who vouches for the nodes, and what the agent shows them. */
  caFile: string | undefined
  certFile: string | undefined
  keyFile: string | undefined
  user: string | undefined
  passwordFile: string | undefined
}

export interface Config {
  /** Absolute path of the data directory. */
  data: string
  /** Sandboxes that run at once. */
  cpus: number
  /** For all of them together. */
  memoryBytes: number
  /** The most that one of them may take. */
  taskMemoryBytes: number
  diskBytes: number
  accept: string[]
  deny: string[]
  quota: Quota
  listen: string[]
  join: string[]
  /** Join as a machine of the inviter's owner. */
  own: boolean
  mdns: boolean
  /** Show what a phone can open to lend too. */
  phone: boolean
  /** Carry for members whom nobody can dial, such as pages. */
  relay: boolean
  /** A page of the owner's that has the tag in it: phones open it rather than this agent. */
  publicUrl: string | undefined
  /** Undefined: the state is kept in the data directory. */
  etcd: EtcdConfig | undefined
  logLevel: LogLevel
  logFormat: 'text' | 'json' | undefined
  verify: string | undefined
  timeoutMs: number | undefined
  fuel: number | undefined
}

/** Half the cores and a quarter of the free memory, and no more cores than have room for a task of the usual size. */
const lentBy = ({ cores, freeBytes }: Machine, given: Layer) => {
  const memoryBytes = given.memory ?? Math.max(MEMORY_BYTES_DEFAULT, Math.floor(freeBytes / 4 / MIB) * MIB)
  const roomFor = Math.max(1, Math.floor(memoryBytes / MEMORY_BYTES_DEFAULT))
  const cpus = given.cpus ?? Math.min(Math.max(1, Math.floor(cores / 2)), roomFor)
  const share = Math.floor(memoryBytes / Math.max(1, cpus))
  if (share < MEMORY_BYTES_MIN) {
    const message = `${cpus} cores share ${Math.floor(memoryBytes / MIB)}MiB; a task needs ${MEMORY_BYTES_MIN / MIB}MiB, so lend more --memory or fewer --cpus`
    throw new MeshError('E_CONFIG', message)
  }
  return { cpus, memoryBytes, taskMemoryBytes: Math.min(MEMORY_BYTES_MAX, share) }
}

const quotaOf = (given: Layer): Quota => ({
  items: given.quota_items ?? QUOTA_DEFAULT.items,
  fuelPerMinute: given.quota_fuel_per_minute ?? QUOTA_DEFAULT.fuelPerMinute,
  bytesPerMinute: given.quota_bytes_per_minute ?? QUOTA_DEFAULT.bytesPerMinute,
  queueShare: given.quota_queue_share ?? QUOTA_DEFAULT.queueShare,
})

/** A phone needs https, which the agent has with a certificate of its own where no page of the owner's does it. */
const listenOn = ({ listen = [LISTEN_DEFAULT], phone, public_url }: Layer): string[] => {
  const hasSecure = listen.some((address) => addressKind(address) === 'wss')
  return phone && !public_url && !hasSecure ? [...listen, ...LISTEN_PHONE] : listen
}

/** Throws MeshError E_CONFIG for half a pair, and for what counts only with endpoints. */
const etcdOf = (given: Layer): EtcdConfig | undefined => {
  const others = KEYS.filter((key) => key.startsWith('etcd_') && given[key] !== undefined)
  if (given.etcd === undefined || given.etcd.length === 0) {
    if (others.length === 0) return undefined
    throw new MeshError('E_CONFIG', { message: `${others[0]} is set, and no etcd: name its nodes, too`, key: 'etcd' })
  }
  for (const [one, other] of [
    ['etcd_cert', 'etcd_key'],
    ['etcd_user', 'etcd_password'],
  ] as const)
    if ((given[one] === undefined) !== (given[other] === undefined))
      throw new MeshError('E_CONFIG', { message: `${one} and ${other} go together: set both, or neither`, key: one })
  return {
    endpoints: given.etcd,
    prefix: given.etcd_prefix ?? ETCD_PREFIX_DEFAULT,
    caFile: given.etcd_ca,
    certFile: given.etcd_cert,
    keyFile: given.etcd_key,
    user: given.etcd_user,
    passwordFile: given.etcd_password,
  }
}

/** The directory that `--data`, or WAYSIDE_DATA, names. */
export const dataDirOf = (data: string | undefined, env: NodeJS.ProcessEnv = process.env): string =>
  resolve(data ?? (env.WAYSIDE_DATA || DATA_DIR_DEFAULT))

/** Throws MeshError E_CONFIG that names the key, and the flag, variable or file that it stands in. */
export const readConfig = (flags: Flags, env = process.env, machine: Machine = thisMachine()): Config => {
  const data = dataDirOf(flags.data, env)
  const named = flags.config ?? (env.WAYSIDE_CONFIG || undefined)
  const file = readFileLayer(named ?? join(data, 'config.json'), named !== undefined)
  const given: Layer = { ...file, ...readEnvironment(env), ...readFlags(flags) }
  return {
    data,
    ...lentBy(machine, given),
    diskBytes: given.disk ?? DISK_BYTES_DEFAULT,
    accept: given.accept ?? ['mesh'],
    deny: given.deny ?? [],
    quota: quotaOf(given),
    listen: listenOn(given),
    join: given.join ?? [],
    own: given.own ?? false,
    mdns: given.mdns ?? true,
    phone: given.phone ?? false,
    relay: given.relay ?? false,
    publicUrl: given.public_url,
    etcd: etcdOf(given),
    logLevel: given.log_level ?? 'info',
    logFormat: given.log_format,
    verify: given.verify,
    timeoutMs: given.timeout,
    fuel: given.fuel,
  }
}
