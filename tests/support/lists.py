"""A contact list with every kind of row."""

LIST = '''\
name,Mobile,tariff
"Rao, Maya",+1 (415) 555-0100,plus
Søren “Ö” 李,+91 98765 43210,basic
Twin,+14155550100,basic
Short,+1415,basic
,,
"He said ""hi""",0044 20 7946 0958,Plan 🎉
Letters,call me,basic
'''
