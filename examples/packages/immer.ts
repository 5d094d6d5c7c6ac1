/** immer: a tree changed as if in place, and the patches that say what changed. */
import { enablePatches, produceWithPatches } from 'immer'

enablePatches()

interface Task {
  title: string
  done: boolean
}

export default function finish({ tasks, title }: { tasks: Task[]; title: string }) {
  const [next, patches, inverse] = produceWithPatches({ tasks, finished: 0 }, (draft) => {
    const task = draft.tasks.find((one) => one.title === title)
    if (!task) return
    task.done = true
    draft.finished++
    draft.tasks.push({ title: `after ${title}`, done: false })
  })
  return { next, patches, inverse, shared: next.tasks[0] === tasks[0], frozen: Object.isFrozen(next.tasks) }
}
