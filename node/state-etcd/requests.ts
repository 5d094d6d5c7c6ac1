/** What other homes ask the committer, as it sees it: their requests, each answered whole. */
import { type Answer, decodeTransactions, encodeAnswers, type Item, itemOf } from './item.ts'

/** Of a request `HOME/N`. */
export interface Reply {
  request: string
  answers: string
}

/** The transactions of a request. `answered` is called once, when the last of them is. */
export const itemsOf = (request: string, value: Uint8Array, answered: (reply: Reply) => void): Item[] => {
  const transactions = decodeTransactions(value)
  const answers: Answer[] = []
  let left = transactions.length
  return transactions.map((transaction, index) => {
    const settle = (answer: Answer) => {
      answers[index] = answer
      left -= 1
      if (left === 0) answered({ request, answers: encodeAnswers(answers) })
    }
    return itemOf(transaction, true, settle)
  })
}
