/** What becomes of a namespace that is moved, step by step, and who may use it meanwhile. Pure. */
import { MeshError } from '../../protocol/errors.ts'
import type { MoveMark } from '../../protocol/moves.ts'

/** What the owner of a namespace asks for at one of the two ends. */
export type MoveStep =
  /** It is to go to the home `where`: no writes from now on. Again: the same move goes on. */
  | { step: 'leave'; move: string; where: string }
  /** It comes with that move, which is to the home `to`, or without one, from a copy. Again: likewise. */
  | { step: 'arrive'; move: string; to?: string }
  /** All of it is there. */
  | { step: 'settle'; move: string }
  /** It has arrived at the other end. */
  | { step: 'left' }
  /** Nothing comes of the move, at this end. */
  | { step: 'stay' }
  /** All of it is deleted, and nothing comes in its place. Again: that goes on. */
  | { step: 'delete'; move: string }
  /** It is deleted. */
  | { step: 'deleted'; move: string }

export type MoveStepName = MoveStep['step']

const moving = (namespace: string, reason: string): MeshError =>
  new MeshError('E_STATE_MOVING', { message: `namespace ${namespace} ${reason}`, namespace })

const taken = (namespace: string, reason: string): MeshError =>
  new MeshError('E_NAMESPACE_TAKEN', { message: `namespace ${namespace} ${reason}`, namespace })

const leaves = (namespace: string, { where }: MoveMark): MeshError =>
  moving(
    namespace,
    `is moving to ${where} and takes no writes; \`wayside state export ${namespace} --undo\` takes that back`,
  )
const arrives = (namespace: string): MeshError =>
  moving(namespace, 'is arriving and not complete; import the same file again, or `--undo` it')
const deletes = (namespace: string): MeshError =>
  moving(namespace, `is being deleted; if that was interrupted: wayside state delete ${namespace} --yes`)
const gone = (namespace: string, { where }: MoveMark): MeshError => taken(namespace, `has moved to ${where}: ask there`)

/** Why it may not be used so now; undefined: it may. */
export const refusalOf = (
  namespace: string,
  mark: MoveMark | undefined,
  use: 'read' | 'write',
): MeshError | undefined => {
  switch (mark?.state) {
    case 'leaving':
      return use === 'write' ? leaves(namespace, mark) : undefined
    case 'arriving':
      return arrives(namespace)
    case 'deleting':
      return deletes(namespace)
    case 'gone':
      return gone(namespace, mark)
    default:
      return undefined
  }
}

const onLeave = (namespace: string, mark: MoveMark | undefined, move: string, where: string): MoveMark | MeshError => {
  if (mark?.state === 'leaving') return mark.where === where ? mark : leaves(namespace, mark)
  return refusalOf(namespace, mark, 'write') ?? { v: 1, state: 'leaving', move, where }
}

const onDelete = (namespace: string, mark: MoveMark | undefined, move: string): MoveMark | MeshError =>
  mark?.state === 'deleting' ? mark : (refusalOf(namespace, mark, 'write') ?? { v: 1, state: 'deleting', move })

const onArrive = (
  namespace: string,
  mark: MoveMark | undefined,
  { move, to }: Extract<MoveStep, { step: 'arrive' }>,
  { isEmpty, home }: { isEmpty: boolean; home: string },
): MoveMark | MeshError => {
  if (to !== undefined && to !== home)
    return taken(namespace, `is moving to the home ${to}, and this is ${home}: import the file there`)
  const isSame = mark?.move === move
  if (isSame && (mark.state === 'arriving' || mark.state === 'here')) return mark
  if (mark?.state === 'arriving') return taken(namespace, 'is arriving by another move; `--undo` that one first')
  if (mark?.state === 'deleting') return deletes(namespace)
  if (mark?.state === 'leaving')
    return taken(namespace, `is kept here, and leaving for ${mark.where}; end that move, or undo it, first`)
  if (isEmpty) return { v: 1, state: 'arriving', move }
  return taken(
    namespace,
    `is kept here already: it has one home; keep it as it is, or delete it here first: wayside state delete ${namespace}`,
  )
}

/**
 * The mark afterwards; undefined: none. `isEmpty`: nothing is kept in the namespace. `home`: this one. An error says why the step
 * cannot be taken: E_STATE_MOVING, E_NAMESPACE_TAKEN or E_USAGE; then nothing has changed.
 */
export const markAfter = (
  namespace: string,
  mark: MoveMark | undefined,
  step: MoveStep,
  at: { isEmpty: boolean; home: string },
): MoveMark | MeshError | undefined => {
  const none = (what: string) => new MeshError('E_USAGE', `namespace ${namespace} is not ${what}`)
  switch (step.step) {
    case 'leave':
      return onLeave(namespace, mark, step.move, step.where)
    case 'arrive':
      return onArrive(namespace, mark, step, at)
    case 'settle':
      if (mark?.move === step.move && (mark.state === 'arriving' || mark.state === 'here'))
        return { v: 1, state: 'here', move: step.move }
      return none('arriving by that move')
    case 'left':
      if (mark?.state === 'gone') return mark
      return mark?.state === 'leaving' ? { ...mark, state: 'gone' } : none('leaving')
    case 'stay':
      return mark?.state === 'leaving' || mark?.state === 'arriving' ? undefined : none('being moved')
    case 'delete':
      return onDelete(namespace, mark, step.move)
    case 'deleted':
      return mark?.state === 'deleting' && mark.move === step.move ? undefined : none('being deleted')
  }
}
