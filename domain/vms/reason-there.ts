/** Why a VM is as it is, with what has to be known of its host where that is OFFLINE; null: there is nothing to say. */
export const reasonThere = (offline: string | null | undefined, reason: string | null): string | null =>
  [offline ? [`its host ${offline} is OFFLINE`] : [], reason ?? []].flat().join('; ') || null;
