/** Is a press of the button a person's own will? */

/** So long the window must have been in front before a press counts: whoever is made to click fast stops before that. */
export const SETTLED_MS = 1000

/** `forged`: no person pressed. `soon`: ask for another press. */
export const judgePress = (byPerson: boolean, heldMs: number): 'agreed' | 'forged' | 'soon' =>
  !byPerson ? 'forged' : heldMs < SETTLED_MS ? 'soon' : 'agreed'
