"""Chapters of HRG codes: the first letter. Names are those of the HRG4+ chapter list of 2017/18 (NHS England, Open Government
Licence v3.0), with the chapters that list lacks named by what their codes hold."""

from __future__ import annotations

from typing import Final

CHAPTERS: Final = {
    "A": "Nervous System",
    "B": "Eyes and Periorbita",
    "C": "Ear, Nose, Mouth, Throat, Neck and Dental",
    "D": "Respiratory System",
    "E": "Cardiac",
    "F": "Digestive System",
    "G": "Hepatobiliary and Pancreatic System",
    "H": "Musculoskeletal System",
    "J": "Skin, Breast and Burns",
    "K": "Endocrine and Metabolic System",
    "L": "Urinary Tract and Male Reproductive System",
    "M": "Female Reproductive System and Assisted Reproduction",
    "N": "Obstetrics",
    "P": "Diseases of Childhood and Neonates",
    "R": "Diagnostic Imaging",
    "S": "Haematology, Chemotherapy, Radiotherapy and Specialist Palliative Care",
    "U": "Undefined Groups",
    "V": "Multiple Trauma, Emergency Medicine and Rehabilitation",
    "W": "Infectious Diseases, Immune System Disorders and other Healthcare contacts",
    "X": "Critical Care and High-Cost Drugs",
    "Y": "Vascular Procedures and Disorders and Imaging Interventions",
}


def chapter_of(hrg: str) -> str:
    """The chapter of an HRG: its first letter."""
    return hrg[:1]


def chapter_name(chapter: str) -> str:
    """`H Musculoskeletal System`; the letter alone where it has no name."""
    return f"{chapter} {CHAPTERS[chapter]}" if chapter in CHAPTERS else chapter
