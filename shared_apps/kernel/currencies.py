"""Currencies of ISO 4217 and their number of decimals.

Metals, the drawing right and the test codes have no minor unit and are not
currencies here. The list is as published on 2026-01-01.
"""

_BY_DECIMALS: dict[int, str] = {
    0: """
    BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF
    """,
    2: """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
    CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP
    GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK
    LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO
    NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS
    SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST
    XAD XCD XCG YER ZAR ZMW ZWG
    """,
    3: """
    BHD IQD JOD KWD LYD OMR TND
    """,
    4: """
    CLF UYW
    """,
}

_DECIMALS: dict[str, int] = {
    code: decimals for decimals, codes in _BY_DECIMALS.items() for code in codes.split()
}

CODES: frozenset[str] = frozenset(_DECIMALS)


def is_currency(code: str) -> bool:
    """Whether `code` is a currency that amounts can be kept in."""
    return code in _DECIMALS


def decimals(code: str) -> int:
    """How many decimals the currency's minor unit has: 2 for KES, 0 for JPY.

    :raises ValueError: there is no such currency.
    """
    try:
        return _DECIMALS[code]
    except KeyError:
        raise ValueError(f"{code!r} is not a currency.") from None
