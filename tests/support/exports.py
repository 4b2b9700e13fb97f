"""The headers of contact lists as programs export them."""

import csv
import io

GOOGLE = (
    "First Name,Middle Name,Last Name,Phonetic First Name,Name Prefix,Name Suffix,Nickname,"
    "Organization Name,Birthday,Notes,Labels,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value,"
    "Phone 2 - Label,Phone 2 - Value,Address 1 - Formatted,Address 1 - Postal Code,"
    "Address 1 - Country,Website 1 - Value"
)


OUTLOOK = (
    "First Name,Last Name,E-mail Address,Home Phone,Home Phone 2,Business Phone,Mobile Phone,"
    "Car Phone,Other Phone,Primary Phone,Pager,Business Fax,Home Fax,Company Main Phone,Callback,"
    "Radio Phone,Telex,TTY/TDD Phone,Assistant's Name,Assistant's Phone,Organizational ID Number,"
    "Home Country/Region,Business Country/Region,Account,Billing Information,Government ID Number"
)


OUTLOOK_DE = (
    "Anrede,Vorname,Nachname,Firma,Land/Region gesch\u00e4ftlich,Telefon Assistent,"
    "Fax gesch\u00e4ftlich,Telefon gesch\u00e4ftlich,R\u00fcckmeldung,Autotelefon,Telefon Firma,"
    "Fax privat,Telefon privat,ISDN,Mobiltelefon,Weiteres Fax,Weiteres Telefon,Pager,"
    "Haupttelefon,Telex,Abrechnungsinformation,Konto,Organisationsnr.,Regierungsnr."
)


OUTLOOK_FR = (
    "Pr\u00e9nom,Nom,Soci\u00e9t\u00e9,Pays/R\u00e9gion (bureau),"
    "T\u00e9l\u00e9phone de l'assistant(e),"
    "T\u00e9l\u00e9copie (bureau),T\u00e9l\u00e9phone (bureau),Rappel,"
    "T\u00e9l\u00e9phone (domicile),"
    "T\u00e9l. mobile,R\u00e9cepteur de radiomessagerie,T\u00e9lex,Compte,Code gouvernement"
)


HUBSPOT = (
    "Record ID,First Name,Last Name,Email,Phone Number,Mobile Phone Number,WhatsApp Phone Number,"
    "Contact owner,Primary Associated Company ID,Last Activity Date (GMT-5),Time Zone,"
    "Country/Region,IP Country Code,Number of times contacted"
)


SALESFORCE = (
    "Salutation,First Name,Last Name,Account Name,Mailing Zip/Postal Code,Mailing Country,Phone,"
    "Fax,Mobile,Home Phone,Other Phone,Asst. Phone,Email,Account Owner,Do Not Call,Contact ID"
)


LOADER = (
    "ID,ISDELETED,ACCOUNTID,LASTNAME,FIRSTNAME,MAILINGCOUNTRY,OTHERCOUNTRY,PHONE,FAX,MOBILEPHONE,"
    "HOMEPHONE,OTHERPHONE,ASSISTANTPHONE,DONOTCALL,HASOPTEDOUTOFEMAIL,HASOPTEDOUTOFFAX"
)


ZOHO = (
    "Record Id,Contact Owner.id,Contact Owner,First Name,Last Name,Email,Phone,Home Phone,"
    "Other Phone,Fax,Mobile,Date of Birth,Assistant,Asst Phone,Email Opt Out,Mailing Country"
)


SHOPIFY = (
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Country Code,"
    "Default Address Zip,Default Address Phone,Phone,Accepts SMS Marketing,Total Spent,Total Orders"
)


SHOPIFY_ORDERS = (
    "Name,Email,Financial Status,Lineitem sku,Billing Zip,Billing Country,Billing Phone,"
    "Shipping Country,Shipping Phone,Payment Reference,Id,Phone,Receipt Number"
)


MAILCHIMP = (
    "Email Address,First Name,Phone Number,MEMBER_RATING,OPTIN_TIME,LATITUDE,GMTOFF,DSTOFF,"
    "TIMEZONE,CC,REGION,LEID,EUID,NOTES"
)


WOO = (
    "order_id,order_number,status,billing_first_name,billing_phone,billing_country,shipping_country"
)


VICIDIAL = (
    "lead_id,entry_date,status,vendor_lead_code,list_id,gmt_offset_now,called_since_last_reset,"
    "phone_code,phone_number,first_name,alt_phone,called_count"
)


def export(header: str, *rows: dict[str, str]) -> str:
    """A list of which only a few of many columns are filled, as in every export."""
    file = io.StringIO()
    writer = csv.DictWriter(file, header.split(","), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()
