/** What a home notes of a namespace that moves from one state to another. */
import * as v from 'valibot'
import { KIB, NAME_CHARS_MAX } from './limits.ts'
import { localMessage, optional, text, version } from './schema.ts'

/**
 * `leaving`: it is read as before and takes no writes. `arriving`: what is there is not all of it. `here`: it came with that
 * move. `gone`: it was kept here, and is not any more. `deleting`: what is there is about to be deleted.
 */
export const MOVE_STATES = ['leaving', 'arriving', 'here', 'gone', 'deleting'] as const

export const MoveMark = localMessage(
  'move mark',
  4 * KIB,
  v.strictObject({
    v: version(),
    state: v.picklist(MOVE_STATES),
    /** Which move: the same at both ends. */
    move: text(NAME_CHARS_MAX),
    /** The home that it goes to, or went to. */
    where: optional(text(NAME_CHARS_MAX)),
  }),
)
export type MoveMark = v.InferOutput<typeof MoveMark.schema>
