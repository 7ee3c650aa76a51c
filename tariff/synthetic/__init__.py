"""Synthetic years of activity: England in shape, invented in every person, organisation and event.

How a year is made. Spells come first, and everything else hangs on them:

1. **What happens** (`mix`). HRGs and settings come in proportion to England's 2024/25 volumes (National Cost Collection, carried
   over by `carry_over`; episodes as costed there, spells here). Settings keep their national share. Within a setting, 98.7% are
   HRGs that the chosen rule pack knows, 1% national HRGs that it does not, and 0.3% `UZ01Z`, data invalid for grouping.
2. **To whom** (`traits`, `profiles`, `patients`). Ages and sexes fit what the HRG's name says; more complications go with more
   years. Patients have a practice, a commissioner and a local hospital, and on average two spells.
3. **When** (`histories`, `seasons`). A patient's spells follow one another without overlap: courses of chemotherapy or infusions
   at their intervals, readmissions after emergencies, months and weekdays as in hospitals. Every discharge falls in the year;
   0.2% of spells have none, the patient being in hospital still.
4. **For how long** (`stays`). 2017/18 trim points lend their shape to the stays, and nothing else.
5. **Where and how** (`places`, `spells`). Invented providers, commissioners and practices; admission methods, specialties, serial
   numbers (0.8% outside the national tariff), private patients (0.5%), specialised services where the pack has top-ups, local
   prices for most of what has no national price. One line in a thousand goes to a provider without market forces factor.
6. **As coded** (`codings`, `critical_care`). Diagnoses and procedures that go with the HRG, candidates for best-practice tariffs;
   critical care for every critical-care day, in the spell's cell, as lines, or a few both ways. Adults have about England's
   days (0.06 a spell); newborns' stays have room for a fraction of theirs.

The other kinds tell of the same patients and of neighbours who are not admitted (`people`), of whom stories are shared
(`conditions`: pregnancies and registers). Volumes stand to spells as England's stand to its episodes, except that
outpatient attendances are five for every spell, a stated shape, since the collection does not count them:

7. **Clinics** (`clinics`, `visits`, `outpatients`). A first attendance ahead of planned admissions, in the spell's treatment
   function, follow-ups after it and after emergencies; antenatal and postnatal care; clinics of registers; England's outpatient
   procedures; and referrals that need no admission. 7% of attendances are missed (procedures take place), a fifth of those
   without procedure are by telephone, 3% multi-professional, about one in six not led by a consultant.
8. **Emergency departments** (`emergencies`). An attendance on the day of most emergency admissions, or the evening before;
   the others go home. The complex currencies fall to those admitted; England's counts stand.
9. **Unbundled care** (`other_care`, `courses`, `unbundled_items`). Scans and high-cost drugs after visits to clinics, devices in
   spells of their chapter, chemotherapy and radiotherapy in courses, dialysis three times a week, visits at home by the month
   (a third of the old people's after a long stay), mental health care of those on the register, cluster-days where the pack has
   them. A pack that knows no currency of a sort sees a tenth of it, and one without any table England's mix.
10. **Beside activity**: `registers` (maternity by phase, cystic fibrosis, diabetes, ...), `evidence` (what audits say of the
    candidates; some missing, a little contradictory) and `population`.

What ends both:

11. **What is wrong with it** (`blemishes`): several rows in ten thousand carry an unknown code, an age of 999, a count of
    nothing, or lack the currency, the commissioner or the date, so that every outcome of pricing is seen.
12. **What was planned** (`plans`): the year's priced value by commissioner, provider and point of delivery, each cell missed by
    up to 6% either way.

No patient is real and none can be: nothing but published totals goes in. Every code of a provider, commissioner or practice is
made up, and so are their factors (`overlay`, labelled illustrative). One seed gives the same bytes; each kind draws from a stream
of chance of its own (`streams`), so its file is the same whichever others are made."""

from tariff.synthetic.year import activity, admitted, make_year

__all__ = ["activity", "admitted", "make_year"]
