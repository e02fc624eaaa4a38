// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What is known of the words of a call's arguments on one path through a filter.
struct ArgumentFacts {
    /// A word under a mask has a value.
    struct Claim {
        var mask: UInt32
        var value: UInt32
    }

    private var known: [UInt32: Claim] = [:]
    private var excluded: [UInt32: [Claim]] = [:]

    /// Whether a claim about the word at an offset holds; nil where that is not known.
    func verdict(on claim: Claim, at offset: UInt32) -> Bool? {
        // A bit outside of the mask is never set.
        if claim.value & ~claim.mask != 0 { return false }
        let known = self.known[offset] ?? Claim(mask: 0, value: 0)
        let common = known.mask & claim.mask
        if (known.value ^ claim.value) & common != 0 { return false }
        if common == claim.mask { return true }
        // It cannot hold if with it something would that does not.
        let all = Claim(mask: known.mask | claim.mask, value: known.value | claim.value)
        let contradicts = (excluded[offset] ?? []).contains {
            $0.mask & ~all.mask == 0 && all.value & $0.mask == $0.value
        }
        return contradicts ? false : nil
    }

    /// Takes in that a claim without a verdict holds, or does not.
    mutating func assume(_ claim: Claim, at offset: UInt32, holds: Bool) {
        if holds {
            learn(claim, at: offset)
        } else {
            excluded[offset, default: []].append(claim)
        }
        while let bit = remainingBit(at: offset) { learn(bit, at: offset) }
    }

    private mutating func learn(_ claim: Claim, at offset: UInt32) {
        let known = self.known[offset] ?? Claim(mask: 0, value: 0)
        self.known[offset] = Claim(
            mask: known.mask | claim.mask, value: known.value | claim.value)
    }

    /// An excluded claim of which all but one bit hold says what that bit is.
    private func remainingBit(at offset: UInt32) -> Claim? {
        let known = self.known[offset] ?? Claim(mask: 0, value: 0)
        for claim in excluded[offset] ?? [] {
            let unknown = claim.mask & ~known.mask
            guard unknown.nonzeroBitCount == 1,
                (known.value ^ claim.value) & claim.mask & known.mask == 0
            else { continue }
            return Claim(mask: unknown, value: ~claim.value & unknown)
        }
        return nil
    }
}
