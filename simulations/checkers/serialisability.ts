/**
 * Strict serialisability of a history: there is one order of its transactions in which each would have seen what it saw,
 * and in which none comes before one that had ended when it began. After Adya, Liskov and O'Neil ("Generalized Isolation
 * Level Definitions", 2000), with the order of versions given by revisions, so that nothing has to be guessed.
 */
import { cyclicComponents } from './components.ts'
import { CycleSearch } from './cycle.ts'
import { Graph } from './graph.ts'
import type { History } from './history.ts'
import { Versions, type Violation } from './versions.ts'
import { violationOf } from './words.ts'

/** Of a history with one mistake a handful tells the story. */
const VIOLATIONS_MAX = 10

/**
 * What is wrong with it, up to ten of them: nothing where it is strictly serialisable. A transaction without an answer
 * counts as committed if something that it wrote was read, else as one that never was. Throws Error for a history that
 * contradicts itself: two writes with one number, a commit without its revision.
 */
export const checkHistory = (history: History): readonly Violation[] => {
  const versions = new Versions(history)
  const graph = new Graph(versions)
  const direct = versions.violations.slice(0, VIOLATIONS_MAX)
  const components = cyclicComponents(graph).slice(0, VIOLATIONS_MAX - direct.length)
  return [
    ...direct,
    ...components.map((members) => violationOf(versions, graph, new CycleSearch(graph, members).shortest())),
  ]
}
