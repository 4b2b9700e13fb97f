from atoms_campaigns_mcp.cli.start import main

if __name__ == "__main__":
    main()
