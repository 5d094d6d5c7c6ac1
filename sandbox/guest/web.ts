/**
 * The web's own interfaces in the guest, in groups: a group is evaluated when one of its globals is first used, or
 * before the function's module where the text of that names one, so that it is in the function's image.
 */

import type { BindingKind } from '../../protocol/effects.ts'
import type { CodeForm } from '../job.ts'

/** The globals of each group. What `web/GROUP.ts` exports beside these is for other groups. */
export const WEB_GROUPS = {
  exception: ['DOMException'],
  text: ['TextEncoder', 'TextDecoder', 'atob', 'btoa'],
  url: ['URL', 'URLSearchParams'],
  events: ['Event', 'EventTarget', 'CustomEvent', 'ErrorEvent', 'AbortController', 'AbortSignal'],
  streams: [
    ...['ReadableStream', 'ReadableStreamDefaultReader', 'ReadableStreamBYOBReader', 'ReadableStreamBYOBRequest'],
    ...['ReadableStreamDefaultController', 'ReadableByteStreamController'],
    ...['WritableStream', 'WritableStreamDefaultWriter', 'WritableStreamDefaultController'],
    ...['TransformStream', 'TransformStreamDefaultController'],
    ...['ByteLengthQueuingStrategy', 'CountQueuingStrategy', 'TextEncoderStream', 'TextDecoderStream'],
  ],
  blob: ['Blob', 'File', 'FormData'],
  fetch: ['Headers', 'Request', 'Response'],
  console: ['console'],
  tasks: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'queueMicrotask', 'reportError'],
  platform: ['performance', 'navigator'],
  crypto: ['crypto', 'Crypto', 'SubtleCrypto'],
  digest: [],
  serve: [],
  module: ['waysideModule'],
  effects: [],
  state: [],
  fetcher: [],
  clone: ['structuredClone'],
} as const satisfies Record<string, readonly string[]>

export type WebGroup = keyof typeof WEB_GROUPS

export const isWebGroup = (name: string): name is WebGroup => Object.hasOwn(WEB_GROUPS, name)

/** Groups that a use of a name needs beside its own. */
const ALSO: Partial<Record<string, readonly WebGroup[]>> = { Request: ['url'] }

const groupsByName = new Map<string, readonly WebGroup[]>(
  Object.entries(WEB_GROUPS).flatMap(([group, names]) =>
    names.map((name): [string, WebGroup[]] => [name, [group as WebGroup, ...(ALSO[name] ?? [])]]),
  ),
)

/**
 * Comments and strings, to be passed over, or a global of the web. A quote within a regular expression misleads this
 * until the end of its line; a name that it overlooks for that is evaluated at its first use instead.
 */
const NAMES = new RegExp(
  String.raw`\/\/.*|\/\*[^]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|(?<![\w$]|(?<!globalThis|self|\.\.)\.)(?<name>${[...groupsByName.keys()].join('|')})(?![\w$])`,
  'g',
)

/** What bindings of each kind are made of: evaluated before the function's module, which may change all that they use. */
const BY_BINDING: Record<BindingKind, readonly WebGroup[]> = {
  fetch: ['text', 'url', 'fetch', 'effects', 'fetcher'],
  secret: ['effects'],
  state: ['effects', 'state'],
}

/**
 * The groups whose globals the text of a module names, and those of the effects and bindings that are declared, in the order
 * of WEB_GROUPS. Timers are named.
 */
export const groupsFor = (
  text: string,
  { effects = [], env = [] }: Pick<CodeForm, 'effects' | 'env'> = {},
): WebGroup[] => {
  const needed = new Set<WebGroup>(env.flatMap(({ kind }) => BY_BINDING[kind]))
  if (effects.some((kind) => kind !== 'sleep')) needed.add('effects')
  for (const { groups } of text.matchAll(NAMES))
    for (const group of groupsByName.get(groups?.name ?? '') ?? []) needed.add(group)
  return (Object.keys(WEB_GROUPS) as WebGroup[]).filter((group) => needed.has(group))
}
