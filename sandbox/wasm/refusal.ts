/** Why a module is not in the metered form. Thrown inside the checker only; `validateMetered` returns it as its reason. */
export class Refusal extends Error {
  override name = 'Refusal'
}

export const refuse = (reason: string): never => {
  throw new Refusal(reason)
}
