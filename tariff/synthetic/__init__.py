"""Synthetic years of activity: England in shape, invented in every person, organisation and event.

How a year is made, kind by kind of activity (admitted care so far):

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
6. **What is wrong with it** (`blemishes`): eight rows in ten thousand carry an unknown method or class, an age of 999, or lack
   the HRG, the commissioner or the admission date, so that every outcome of pricing is seen.
7. **What was planned** (`plans`): the year's priced value by commissioner, provider and point of delivery, each cell missed by up
   to 6% either way.

No patient is real and none can be: nothing but published totals goes in. Every code of a provider, commissioner or practice is
made up, and so are their factors (`overlay`, labelled illustrative). One seed gives the same bytes."""

from tariff.synthetic.year import activity, admitted, make_year

__all__ = ["activity", "admitted", "make_year"]
