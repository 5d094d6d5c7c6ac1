/** What an executor has under way, by PeerIds of those whom it is for; bytes of inputs and journals. */
export class Holdings {
  readonly #byParty = new Map<string, { readonly items: number; readonly bytes: number }>()
  /** Of all. */
  bytes = 0

  of(party: string): { readonly items: number; readonly bytes: number } {
    return this.#byParty.get(party) ?? { items: 0, bytes: 0 }
  }

  add(party: string, items: number, bytes: number): void {
    this.bytes += bytes
    const held = this.of(party)
    const now = { items: held.items + items, bytes: held.bytes + bytes }
    if (now.items === 0) this.#byParty.delete(party)
    else this.#byParty.set(party, now)
  }
}
